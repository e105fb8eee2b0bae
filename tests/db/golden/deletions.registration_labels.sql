DELETE FROM relaties.registration_label WHERE relaties.registration_label.tenant_id = $1::UUID AND relaties.registration_label.client_id = $2::UUID
