SELECT relaties.file.id AS id
FROM relaties.file
WHERE relaties.file.tenant_id = $1::UUID AND relaties.file.job_id = ANY ($2::UUID[]) ORDER BY relaties.file.id FOR UPDATE
