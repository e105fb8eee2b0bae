SELECT count(*) AS count
FROM relaties.contact
WHERE relaties.contact.tenant_id = $1::UUID AND relaties.contact.name_key LIKE $2::VARCHAR
