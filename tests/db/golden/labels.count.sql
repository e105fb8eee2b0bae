SELECT count(*) AS count
FROM relaties.label
WHERE relaties.label.tenant_id = $1::UUID AND relaties.label.name_key LIKE $2::VARCHAR
