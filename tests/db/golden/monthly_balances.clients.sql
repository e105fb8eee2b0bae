SELECT relaties.client.id AS id
FROM relaties.client
WHERE relaties.client.tenant_id = $1::UUID AND relaties.client.id > $2::UUID ORDER BY relaties.client.id
 LIMIT $3::INTEGER
