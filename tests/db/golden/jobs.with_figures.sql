SELECT relaties.job.id AS id
FROM relaties.job
WHERE relaties.job.tenant_id = $1::UUID AND relaties.job.id = ANY ($2::UUID[]) AND (relaties.job.input ->> 'has_figures') IS DISTINCT FROM 'false'
