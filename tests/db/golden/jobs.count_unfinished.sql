SELECT count(*) AS count
FROM relaties.job
WHERE relaties.job.tenant_id = $1::UUID AND (relaties.job.status IN ('QUEUED',
  'RUNNING'))
