SELECT count(*) AS count
FROM relaties.client
WHERE relaties.client.tenant_id = $1::UUID
