SELECT relaties.contact.id
FROM relaties.contact
WHERE relaties.contact.tenant_id = $1::UUID AND relaties.contact.id = ANY ($2::UUID[]) ORDER BY relaties.contact.id FOR UPDATE
