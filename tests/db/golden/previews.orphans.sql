SELECT relaties.client_contact.client_id AS client_id,
  relaties.client_contact.contact_id AS contact_id
FROM unnest($1::UUID[]) AS asked(id) JOIN relaties.client_contact ON relaties.client_contact.tenant_id = $2::UUID AND relaties.client_contact.client_id = asked.id
WHERE NOT (EXISTS (SELECT *
FROM relaties.client_contact AS client_contact_1
WHERE client_contact_1.tenant_id = $2::UUID AND client_contact_1.contact_id = relaties.client_contact.contact_id AND client_contact_1.client_id != relaties.client_contact.client_id)) ORDER BY relaties.client_contact.client_id,
  relaties.client_contact.contact_id
