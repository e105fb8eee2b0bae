DELETE FROM relaties.portal_access WHERE relaties.portal_access.tenant_id = $1::UUID AND relaties.portal_access.client_id = $2::UUID
