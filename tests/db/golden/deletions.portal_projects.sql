DELETE FROM relaties.portal_project WHERE relaties.portal_project.tenant_id = $1::UUID AND relaties.portal_project.client_id = $2::UUID
