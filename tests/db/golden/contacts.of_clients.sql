SELECT relaties.contact.id AS id,
  relaties.contact.name_key AS name_key,
  relaties.contact.first_name AS first_name,
  relaties.contact.last_name AS last_name,
  relaties.contact.job_title AS job_title,
  relaties.contact.email AS email,
  relaties.contact.phone AS phone,
  relaties.contact.mobile AS mobile,
  relaties.contact.language AS language,
  relaties.contact.created_at AS created_at,
  relaties.contact.updated_at AS updated_at,
  relaties.contact.version AS version,
  linked.client_id AS client_id,
  linked.position AS position,
  linked.department AS department,
  linked.is_invoice_contact AS is_invoice_contact,
  linked.is_primary AS is_primary
FROM unnest($1::UUID[]) AS asked(id) JOIN LATERAL (SELECT relaties.client_contact.contact_id AS contact_id,
  relaties.client_contact.client_id AS client_id,
  relaties.client_contact.position AS position,
  relaties.client_contact.department AS department,
  relaties.client_contact.is_invoice_contact AS is_invoice_contact,
  relaties.client_contact.is_primary AS is_primary
FROM relaties.client_contact
WHERE relaties.client_contact.tenant_id = $2::UUID AND relaties.client_contact.client_id = asked.id ORDER BY relaties.client_contact.position,
  relaties.client_contact.contact_id
 LIMIT $3::INTEGER) AS linked ON true JOIN relaties.contact ON relaties.contact.tenant_id = $2::UUID AND relaties.contact.id = linked.contact_id ORDER BY linked.client_id,
  linked.position,
  linked.contact_id
