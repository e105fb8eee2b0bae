SELECT relaties.job.id AS id,
  relaties.job.kind AS kind,
  relaties.job.status AS status,
  relaties.job.member_id AS member_id,
  relaties.job.token_id AS token_id,
  relaties.job.done_count AS done_count,
  relaties.job.total AS total,
  relaties.job.warnings AS warnings,
  relaties.job.failure_code AS failure_code,
  relaties.job.failure_message AS failure_message,
  relaties.job.created_at AS created_at,
  relaties.job.started_at AS started_at,
  relaties.job.finished_at AS finished_at
FROM relaties.job JOIN (SELECT relaties.job.id AS id,
  relaties.job.id AS key
FROM relaties.job
WHERE relaties.job.tenant_id = $1::UUID AND relaties.job.kind = ANY ($2::TEXT[]) AND relaties.job.status = ANY ($3::TEXT[]) AND relaties.job.member_id = $4::UUID AND (relaties.job.id,
  relaties.job.id) < ($5::UUID,
  $6::UUID) ORDER BY relaties.job.id DESC,
  relaties.job.id DESC
 LIMIT $7::INTEGER) AS page ON page.id = relaties.job.id
WHERE relaties.job.tenant_id = $1::UUID ORDER BY page.key DESC,
  page.id DESC
