SELECT relaties.member.id AS id,
  relaties.member.name AS name,
  relaties.member.email AS email,
  relaties.member.role AS role,
  relaties.member.is_active AS is_active,
  relaties.member.version AS version
FROM relaties.member
WHERE relaties.member.tenant_id = $1::UUID AND relaties.member.id = ANY ($2::UUID[])
