SELECT count(*) AS count
FROM relaties.client
WHERE relaties.client.tenant_id = $1::UUID AND (relaties.client.name_key LIKE $2::VARCHAR OR relaties.client.number_key LIKE $3::VARCHAR) AND relaties.client.archived_at IS NOT NULL AND (EXISTS (SELECT *
FROM relaties.client_label
WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.client_id = relaties.client.id AND relaties.client_label.label_id = any($4::UUID[]))) AND (SELECT count(*) AS count_1
FROM relaties.client_label
WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.client_id = relaties.client.id AND relaties.client_label.label_id = any($5::UUID[])) = cardinality($5::UUID[]) AND NOT (EXISTS (SELECT *
FROM relaties.client_label
WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.client_id = relaties.client.id AND relaties.client_label.label_id = any($6::UUID[]))) AND (EXISTS (SELECT *
FROM relaties.client_contact
WHERE relaties.client_contact.tenant_id = $1::UUID AND relaties.client_contact.client_id = relaties.client.id AND relaties.client_contact.is_invoice_contact IS true)) AND (EXISTS (SELECT *
FROM relaties.client_address
WHERE relaties.client_address.tenant_id = $1::UUID AND relaties.client_address.client_id = relaties.client.id AND relaties.client_address.type = 'PRIMARY' AND relaties.client_address.country = $7::VARCHAR)) AND relaties.client.kvk_number = $8::VARCHAR AND relaties.client.vat_number = $9::VARCHAR AND relaties.client.updated_at >= $10::TIMESTAMP WITH TIME ZONE
