SELECT relaties.file_part.content AS content
FROM relaties.file_part JOIN relaties.file ON relaties.file.tenant_id = relaties.file_part.tenant_id AND relaties.file.id = relaties.file_part.file_id
WHERE relaties.file_part.tenant_id = $1::UUID AND relaties.file_part.file_id = $2::UUID AND relaties.file_part.number = $3::INTEGER AND relaties.file.expires_at > now()
