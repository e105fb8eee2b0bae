DELETE FROM relaties.file_part WHERE (relaties.file_part.tenant_id,
  relaties.file_part.file_id,
  relaties.file_part.number) IN (SELECT relaties.file_part.tenant_id,
  relaties.file_part.file_id,
  relaties.file_part.number
FROM relaties.file_part
WHERE relaties.file_part.tenant_id = $1::UUID AND relaties.file_part.file_id = $2::UUID
 LIMIT 64)
