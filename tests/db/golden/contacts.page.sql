SELECT relaties.contact.id AS id,
  relaties.contact.name_key AS name_key,
  relaties.contact.first_name AS first_name,
  relaties.contact.last_name AS last_name,
  relaties.contact.job_title AS job_title,
  relaties.contact.email AS email,
  relaties.contact.phone AS phone,
  relaties.contact.mobile AS mobile,
  relaties.contact.language AS language,
  relaties.contact.notes AS notes,
  relaties.contact.is_active AS is_active,
  relaties.contact.created_at AS created_at,
  relaties.contact.updated_at AS updated_at,
  relaties.contact.version AS version
FROM relaties.contact JOIN (SELECT relaties.contact.id AS id,
  relaties.contact.name_key AS key
FROM relaties.contact
WHERE relaties.contact.tenant_id = $1::UUID AND relaties.contact.name_key LIKE $2::VARCHAR AND (relaties.contact.name_key,
  relaties.contact.id) > ($3::VARCHAR,
  $4::UUID) ORDER BY relaties.contact.name_key,
  relaties.contact.id
 LIMIT $5::INTEGER) AS page ON page.id = relaties.contact.id
WHERE relaties.contact.tenant_id = $1::UUID ORDER BY page.key,
  page.id
