SELECT asked.id,
  (SELECT count(*) AS count_1
FROM relaties.member
WHERE relaties.member.tenant_id = $1::UUID AND relaties.member.tenant_id = asked.id) AS count
FROM unnest($2::UUID[]) AS asked(id)
