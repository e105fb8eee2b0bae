DELETE FROM relaties.client WHERE relaties.client.tenant_id = $1::UUID AND relaties.client.id = $2::UUID
