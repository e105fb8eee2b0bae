SELECT relaties.client.id AS client_id,
  coalesce(relaties.client.currency,
  relaties.organization.base_currency) AS currency,
  CAST(relaties.client.default_hourly_rate AS TEXT) AS default_hourly_rate,
  CAST(relaties.client.default_mileage_rate AS TEXT) AS default_mileage_rate,
  relaties.client.vat_treatment AS vat_treatment,
  relaties.client.vat_rate_id AS vat_rate_id,
  relaties.client.payment_term_days AS payment_term_days,
  relaties.client.iban AS iban,
  relaties.client.bic AS bic,
  relaties.client.invoice_layout_id AS invoice_layout_id,
  relaties.client.invoice_delivery AS invoice_delivery,
  relaties.client.buyer_reference AS buyer_reference,
  relaties.client.purchase_order_required AS purchase_order_required
FROM relaties.client JOIN relaties.organization ON relaties.organization.tenant_id = $1::UUID AND relaties.client.tenant_id = $1::UUID
WHERE relaties.client.id = ANY ($2::UUID[])
