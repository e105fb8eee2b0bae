UPDATE relaties.job SET cursor=$1::VARCHAR,
  done_count=$2::INTEGER,
  total=$3::INTEGER,
  attempts=$4::INTEGER,
  lease_until=$5::TIMESTAMP WITH TIME ZONE WHERE relaties.job.tenant_id = $6::UUID AND relaties.job.id = $7::UUID AND relaties.job.status = 'RUNNING' AND relaties.job.owner = $8::UUID
