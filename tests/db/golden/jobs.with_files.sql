SELECT relaties.job.id AS id
FROM relaties.file JOIN relaties.job ON relaties.job.tenant_id = $1::UUID AND relaties.job.id = relaties.file.job_id
WHERE relaties.file.tenant_id = $1::UUID AND relaties.job.kind = $2::VARCHAR AND relaties.file.created_at >= $3::TIMESTAMP WITH TIME ZONE ORDER BY relaties.job.id
