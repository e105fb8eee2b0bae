DELETE FROM relaties.file WHERE relaties.file.tenant_id = $1::UUID AND relaties.file.id = $2::UUID
