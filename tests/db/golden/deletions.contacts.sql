DELETE FROM relaties.client_contact WHERE relaties.client_contact.tenant_id = $1::UUID AND relaties.client_contact.client_id = $2::UUID
