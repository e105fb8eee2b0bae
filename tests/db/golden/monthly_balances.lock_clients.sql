SELECT relaties.client.id
FROM relaties.client
WHERE relaties.client.tenant_id = $1::UUID AND relaties.client.id = ANY ($2::UUID[]) ORDER BY relaties.client.id FOR NO KEY UPDATE
