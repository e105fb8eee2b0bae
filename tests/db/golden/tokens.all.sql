SELECT relaties.api_token.id AS id,
  relaties.api_token.name AS name,
  relaties.api_token.member_id AS member_id,
  relaties.member.name AS member_name,
  relaties.api_token.role AS role,
  relaties.api_token.scope AS scope,
  relaties.api_token.created_at AS created_at,
  relaties.api_token.created_by AS created_by,
  relaties.api_token.expires_at AS expires_at,
  relaties.api_token.revoked_at AS revoked_at
FROM relaties.api_token LEFT OUTER JOIN relaties.member ON relaties.member.tenant_id = $1::UUID AND relaties.member.id = relaties.api_token.member_id
WHERE relaties.api_token.tenant_id = $1::UUID ORDER BY relaties.api_token.created_at,
  relaties.api_token.id
