UPDATE relaties.job SET attempts=$1::INTEGER,
  lease_until=$2::TIMESTAMP WITH TIME ZONE WHERE relaties.job.tenant_id = $3::UUID AND relaties.job.id = $4::UUID AND relaties.job.status = 'RUNNING' AND relaties.job.owner = $5::UUID
