SELECT CAST(coalesce(sum(relaties.file.size),
  0) AS BIGINT) AS total
FROM relaties.file
WHERE relaties.file.tenant_id = $1::UUID AND relaties.file.expires_at > now()
