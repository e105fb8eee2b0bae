SELECT relaties.organization.tenant_id AS id,
  relaties.organization.name AS name,
  relaties.organization.base_currency AS base_currency,
  relaties.organization.country AS country,
  relaties.organization.locale AS locale,
  relaties.organization.timezone AS timezone,
  relaties.organization.default_payment_term_days AS default_payment_term_days,
  relaties.organization.fiscal_year_start_month AS fiscal_year_start_month,
  relaties.organization.client_number_format AS client_number_format,
  relaties.organization.invoice_number_format AS invoice_number_format,
  relaties.organization.client_required AS client_required,
  relaties.organization.project_required AS project_required,
  relaties.organization.default_vat_rate_id AS default_vat_rate_id,
  relaties.organization.default_layout_id AS default_layout_id,
  relaties.organization.version AS version
FROM relaties.organization
WHERE relaties.organization.tenant_id = $1::UUID AND relaties.organization.tenant_id = ANY ($2::UUID[])
