DELETE FROM relaties.client_portal WHERE relaties.client_portal.tenant_id = $1::UUID AND relaties.client_portal.client_id = $2::UUID
