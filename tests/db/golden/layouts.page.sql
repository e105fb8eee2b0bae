SELECT relaties.invoice_layout.id AS id,
  relaties.invoice_layout.name AS name,
  relaties.invoice_layout.language AS language,
  relaties.invoice_layout.template AS template,
  relaties.invoice_layout.is_default AS is_default,
  relaties.invoice_layout.is_active AS is_active,
  relaties.invoice_layout.version AS version
FROM relaties.invoice_layout JOIN (SELECT relaties.invoice_layout.id AS id,
  relaties.invoice_layout.id AS key
FROM relaties.invoice_layout
WHERE relaties.invoice_layout.tenant_id = $1::UUID AND (relaties.invoice_layout.id,
  relaties.invoice_layout.id) > ($2::UUID,
  $3::UUID) ORDER BY relaties.invoice_layout.id,
  relaties.invoice_layout.id
 LIMIT $4::INTEGER) AS page ON page.id = relaties.invoice_layout.id
WHERE relaties.invoice_layout.tenant_id = $1::UUID ORDER BY page.key,
  page.id
