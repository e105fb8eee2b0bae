SELECT relaties.label.id AS id,
  relaties.label.name_key AS name_key,
  relaties.label.name AS name,
  relaties.label.color AS color,
  relaties.label.is_active AS is_active,
  relaties.label.version AS version
FROM relaties.label JOIN (SELECT relaties.label.id AS id,
  relaties.label.name_key AS key
FROM relaties.label
WHERE relaties.label.tenant_id = $1::UUID AND relaties.label.name_key LIKE $2::VARCHAR AND (relaties.label.name_key,
  relaties.label.id) > ($3::VARCHAR,
  $4::UUID) ORDER BY relaties.label.name_key,
  relaties.label.id
 LIMIT $5::INTEGER) AS page ON page.id = relaties.label.id
WHERE relaties.label.tenant_id = $1::UUID ORDER BY page.key,
  page.id
