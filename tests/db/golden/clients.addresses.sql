SELECT relaties.client_address.client_id AS client_id,
  relaties.client_address.type AS type,
  relaties.client_address.line1 AS line1,
  relaties.client_address.line2 AS line2,
  relaties.client_address.postal_code AS postal_code,
  relaties.client_address.city AS city,
  relaties.client_address.region AS region,
  relaties.client_address.country AS country,
  relaties.client_address.attention AS attention
FROM relaties.client_address
WHERE relaties.client_address.tenant_id = $1::UUID AND relaties.client_address.client_id = ANY ($2::UUID[]) ORDER BY relaties.client_address.client_id,
  relaties.client_address.type
