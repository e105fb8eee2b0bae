SELECT relaties.client.number_key AS number_key
FROM relaties.client
WHERE relaties.client.tenant_id = $1::UUID AND relaties.client.number_key = any($2::TEXT[])
