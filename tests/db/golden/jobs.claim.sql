UPDATE relaties.job SET status='RUNNING',
  attempts=(relaties.job.attempts + 1),
  owner=$1::UUID,
  lease_until=$2::TIMESTAMP WITH TIME ZONE,
  started_at=coalesce(relaties.job.started_at,
  $3::TIMESTAMP WITH TIME ZONE) WHERE relaties.job.tenant_id = $4::UUID AND relaties.job.id = $5::UUID AND (relaties.job.status IN ('QUEUED',
  'RUNNING'))
