SELECT relaties.client.id AS id,
  relaties.client.name_key AS name_key,
  relaties.client.number_key AS number_key,
  relaties.client.name AS name,
  relaties.client.trade_name AS trade_name,
  relaties.client.number AS number,
  relaties.client.kind AS kind,
  relaties.client.is_prospect AS is_prospect,
  relaties.client.phone AS phone,
  relaties.client.email AS email,
  relaties.client.website AS website,
  relaties.client.language AS language,
  relaties.client.notes AS notes,
  relaties.client.kvk_number AS kvk_number,
  relaties.client.kvk_branch_number AS kvk_branch_number,
  relaties.client.kbo_number AS kbo_number,
  relaties.client.vat_number AS vat_number,
  relaties.client_address.client_id IS NOT NULL AS has_address,
  relaties.client_address.line1 AS line1,
  relaties.client_address.line2 AS line2,
  relaties.client_address.postal_code AS postal_code,
  relaties.client_address.city AS city,
  relaties.client_address.region AS region,
  relaties.client_address.country AS country,
  relaties.client_address.attention AS attention,
  relaties.client.archived_at AS archived_at,
  relaties.client.created_at AS created_at,
  relaties.client.updated_at AS updated_at,
  relaties.client.version AS version
FROM relaties.client LEFT OUTER JOIN relaties.client_address ON relaties.client_address.tenant_id = $1::UUID AND relaties.client_address.client_id = relaties.client.id AND relaties.client_address.type = 'PRIMARY' JOIN (SELECT relaties.client.id AS id,
  coalesce(relaties.client.number_key,
  '􏿿') AS key
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
WHERE relaties.client_address.tenant_id = $1::UUID AND relaties.client_address.client_id = relaties.client.id AND relaties.client_address.type = 'PRIMARY' AND relaties.client_address.country = $7::VARCHAR)) AND relaties.client.kvk_number = $8::VARCHAR AND relaties.client.vat_number = $9::VARCHAR AND relaties.client.updated_at >= $10::TIMESTAMP WITH TIME ZONE AND (coalesce(relaties.client.number_key,
  '􏿿'),
  relaties.client.id) < ($11::VARCHAR,
  $12::UUID) ORDER BY coalesce(relaties.client.number_key,
  '􏿿') DESC,
  relaties.client.id DESC
 LIMIT $13::INTEGER) AS page ON page.id = relaties.client.id
WHERE relaties.client.tenant_id = $1::UUID ORDER BY page.key DESC,
  page.id DESC
