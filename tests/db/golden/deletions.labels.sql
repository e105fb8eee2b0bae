DELETE FROM relaties.client_label WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.client_id = $2::UUID
