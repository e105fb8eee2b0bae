SELECT relaties.member.id AS id,
  relaties.member.name AS name,
  relaties.member.email AS email,
  relaties.member.role AS role,
  relaties.member.is_active AS is_active,
  relaties.member.version AS version
FROM relaties.member JOIN (SELECT relaties.member.id AS id,
  relaties.member.id AS key
FROM relaties.member
WHERE relaties.member.tenant_id = $1::UUID AND (relaties.member.id,
  relaties.member.id) > ($2::UUID,
  $3::UUID) ORDER BY relaties.member.id,
  relaties.member.id
 LIMIT $4::INTEGER) AS page ON page.id = relaties.member.id
WHERE relaties.member.tenant_id = $1::UUID ORDER BY page.key,
  page.id
