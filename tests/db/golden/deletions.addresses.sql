DELETE FROM relaties.client_address WHERE relaties.client_address.tenant_id = $1::UUID AND relaties.client_address.client_id = $2::UUID
