SELECT relaties.job.id AS id,
  relaties.job.kind AS kind,
  relaties.job.member_id AS member_id,
  relaties.job.token_id AS token_id,
  CAST(relaties.job.input AS TEXT) AS input,
  relaties.job.cursor AS cursor,
  relaties.job.total AS total,
  cardinality(relaties.job.warnings) AS warning_count,
  relaties.job.attempts AS attempts
FROM relaties.job
WHERE relaties.job.tenant_id = $1::UUID AND (relaties.job.status IN ('QUEUED',
  'RUNNING')) ORDER BY relaties.job.status DESC,
  relaties.job.id
 LIMIT 1
