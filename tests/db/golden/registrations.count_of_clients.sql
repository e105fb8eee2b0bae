SELECT asked.id,
  (SELECT count(*) AS count_1
FROM relaties.registration
WHERE relaties.registration.client_id = asked.id AND relaties.registration.tenant_id = $1::UUID) AS count
FROM unnest($2::UUID[]) AS asked(id)
