# Creates a KMS key that this deployment of Keystead may use, and prints its ARN.
# Run it in bash, with credentials of the AWS account that shall own the key.
(
  set -eu
  account=$(aws sts get-caller-identity --region us-west-1 --query Account --output text)
  aws kms create-key --region us-west-1 \
    --description 'Customer managed key of Keystead deployment d-7k2m9q' \
    --query KeyMetadata.Arn --output text \
    --policy '{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "OwnerManagesKey",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::'"$account"':root"
      },
      "Action": "kms:*",
      "Resource": "*"
    },
    {
      "Sid": "KeysteadUsesDataKeys",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::444455556666:role/keystead-prod"
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
        "AWS": "arn:aws:iam::444455556666:role/keystead-prod"
      },
      "Action": "kms:DescribeKey",
      "Resource": "*"
    }
  ]
}'
)
