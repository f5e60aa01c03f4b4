# A KMS key that a deployment of Keystead may use.

data "aws_caller_identity" "keystead" {}

data "aws_region" "keystead" {}

resource "aws_kms_key" "keystead" {
  description = "Customer managed key of Keystead deployment x\"'\\`\u0024(touch hostile)\u0024{file(\"/\")}\u0025{if true}\u000a}\u000aPOLICY\u000a)# - *a: {b} OWNER-ACCOUNT \u007f\u00e9\U0001f600"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "OwnerManagesKey"
        Effect = "Allow"
        Principal = {
          AWS = "arn:aws:iam::${data.aws_caller_identity.keystead.account_id}:root"
        }
        Action   = "kms:*"
        Resource = "*"
      },
      {
        Sid    = "KeysteadUsesDataKeys"
        Effect = "Allow"
        Principal = {
          AWS = "x\"'\\`\u0024(touch hostile)\u0024{file(\"/\")}\u0025{if true}\u000a}\u000aPOLICY\u000a)# - *a: {b} OWNER-ACCOUNT \u007f\u00e9\U0001f600"
        }
        Action   = ["kms:Encrypt", "kms:Decrypt"]
        Resource = "*"
        Condition = {
          StringEquals = {
            "kms:EncryptionContext:deployment" = "x\"'\\`\u0024(touch hostile)\u0024{file(\"/\")}\u0025{if true}\u000a}\u000aPOLICY\u000a)# - *a: {b} OWNER-ACCOUNT \u007f\u00e9\U0001f600"
          }
        }
      },
      {
        Sid    = "KeysteadReadsKeyState"
        Effect = "Allow"
        Principal = {
          AWS = "x\"'\\`\u0024(touch hostile)\u0024{file(\"/\")}\u0025{if true}\u000a}\u000aPOLICY\u000a)# - *a: {b} OWNER-ACCOUNT \u007f\u00e9\U0001f600"
        }
        Action   = "kms:DescribeKey"
        Resource = "*"
      },
    ]
  })

  lifecycle {
    # Without the key nobody can read what it protects.
    prevent_destroy = true

    precondition {
      condition     = data.aws_region.keystead.id == "x\"'\\`\u0024(touch hostile)\u0024{file(\"/\")}\u0025{if true}\u000a}\u000aPOLICY\u000a)# - *a: {b} OWNER-ACCOUNT \u007f\u00e9\U0001f600"
      error_message = "The key must be in the region of the deployment: x\"'\\`\u0024(touch hostile)\u0024{file(\"/\")}\u0025{if true}\u000a}\u000aPOLICY\u000a)# - *a: {b} OWNER-ACCOUNT \u007f\u00e9\U0001f600."
    }
  }
}

output "keystead_key_arn" {
  description = "Enter this as KMS Key ARN in Keystead."
  value       = aws_kms_key.keystead.arn
}
