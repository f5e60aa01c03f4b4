# Creates a KMS key that this deployment of Keystead may use, and prints its ARN.
# Run it in bash, with credentials of the AWS account that shall own the key.
(
  set -eu
  aws kms create-key --region us-gov-west-1 \
    --description 'Customer managed key of Keystead deployment d-7k2m9q' \
    --query KeyMetadata.Arn --output text \
    --policy '{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "OwnerManagesKey",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws-us-gov:iam::111122223333:root"
      },
      "Action": "kms:*",
      "Resource": "*"
    },
    {
      "Sid": "KeysteadUsesDataKeys",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws-us-gov:iam::444455556666:role/keystead-prod"
      },
      "Action": [
        "kms:Encrypt",
        "kms:Decrypt"
      ],
      "Resource": "*",
      "Condition": {
        "StringEquals": {
          "kms:EncryptionContext:deployment": "d-7k2m9q"
        }
      }
    },
    {
      "Sid": "KeysteadReadsKeyState",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws-us-gov:iam::444455556666:role/keystead-prod"
      },
      "Action": "kms:DescribeKey",
      "Resource": "*"
    }
  ]
}'
)
