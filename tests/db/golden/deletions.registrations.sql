DELETE FROM relaties.registration WHERE relaties.registration.tenant_id = $1::UUID AND relaties.registration.client_id = $2::UUID
