INSERT INTO relaties.file_part (tenant_id,
  file_id,
  number,
  content) VALUES ($1::UUID,
  $2::UUID,
  $3::INTEGER,
  $4::BYTEA)
