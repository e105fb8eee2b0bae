SELECT count(*) AS count
FROM relaties.registration
WHERE relaties.registration.tenant_id = $1::UUID
