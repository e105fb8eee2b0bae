SELECT relaties.file.id AS id
FROM relaties.file
WHERE relaties.file.tenant_id = $1::UUID AND relaties.file.expires_at <= now() ORDER BY relaties.file.expires_at,
  relaties.file.id
 LIMIT 1 FOR UPDATE SKIP LOCKED
