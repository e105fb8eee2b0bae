SELECT count(*) AS count
FROM relaties.job
WHERE relaties.job.tenant_id = $1::UUID AND relaties.job.kind = ANY ($2::TEXT[]) AND relaties.job.status = ANY ($3::TEXT[]) AND relaties.job.member_id = $4::UUID
