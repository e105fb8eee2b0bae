SELECT asked.id,
  (SELECT count(*) AS count_1
FROM relaties.registration
WHERE relaties.registration.tenant_id = $1::UUID AND relaties.registration.project_id = asked.id) AS count
FROM unnest($2::UUID[]) AS asked(id)
