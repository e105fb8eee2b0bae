SELECT asked.id,
  (SELECT count(*) AS count_1
FROM relaties.client_contact
WHERE relaties.client_contact.tenant_id = $1::UUID AND relaties.client_contact.client_id = asked.id) AS count
FROM unnest($2::UUID[]) AS asked(id)
