# A KMS key that a deployment of Keystead may use.

data "aws_region" "keystead" {}

resource "aws_kms_key" "keystead" {
  description = "Customer managed key of Keystead deployment d-7k2m9q"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "OwnerManagesKey"
        Effect = "Allow"
        Principal = {
          AWS = "arn:aws-us-gov:iam::111122223333:root"
        }
        Action   = "kms:*"
        Resource = "*"
      },
      {
        Sid    = "KeysteadUsesDataKeys"
        Effect = "Allow"
        Principal = {
          AWS = "arn:aws-us-gov:iam::444455556666:role/keystead-prod"
        }
        Action   = ["kms:Encrypt", "kms:Decrypt"]
        Resource = "*"
        Condition = {
          StringEquals = {
            "kms:EncryptionContext:deployment" = "d-7k2m9q"
          }
        }
      },
      {
        Sid    = "KeysteadReadsKeyState"
        Effect = "Allow"
        Principal = {
          AWS = "arn:aws-us-gov:iam::444455556666:role/keystead-prod"
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
      condition     = data.aws_region.keystead.id == "us-gov-west-1"
      error_message = "The key must be in the region of the deployment: us-gov-west-1."
    }
  }
}

output "keystead_key_arn" {
  description = "Enter this as KMS Key ARN in Keystead."
  value       = aws_kms_key.keystead.arn
}
