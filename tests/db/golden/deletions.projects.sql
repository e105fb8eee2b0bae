DELETE FROM relaties.project WHERE relaties.project.tenant_id = $1::UUID AND relaties.project.client_id = $2::UUID
