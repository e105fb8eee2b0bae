SELECT relaties.file.id AS id,
  relaties.file.job_id AS job_id,
  relaties.file.name AS name,
  relaties.file.content_type AS content_type,
  relaties.file.size AS size,
  relaties.file.created_at AS created_at,
  relaties.file.expires_at AS expires_at
FROM relaties.file
WHERE relaties.file.tenant_id = $1::UUID AND relaties.file.job_id = ANY ($2::UUID[]) AND relaties.file.expires_at > now()
